"""The places of a machine that matter. `~` is the home of the person; what does not exist is passed over."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

SECRETS: Final = (
    # keys and passwords
    *("~/.ssh", "~/.gnupg", "~/.password-store", "~/.local/share/keyrings", "~/.local/share/kwalletd", "~/.netrc"),
    *("~/.config/op", "~/.config/Bitwarden CLI", "~/.vault-token", "~/.git-credentials", "~/.config/git/credentials"),
    # clouds, registries and forges
    *("~/.aws", "~/.azure", "~/.config/gcloud", "~/.kube", "~/.docker/config.json", "~/.config/gh", "~/.config/hub"),
    *("~/.config/glab-cli", "~/.config/doctl", "~/.config/rclone", "~/.fly", "~/.terraform.d/credentials.tfrc.json"),
    *("~/.pypirc", "~/.cargo/credentials", "~/.cargo/credentials.toml", "~/.gem/credentials", "~/.config/heroku"),
    # browsers, mail and what was typed
    *("~/.mozilla", "~/.config/google-chrome", "~/.config/chromium", "~/.config/BraveSoftware", "~/.thunderbird"),
    *("~/.config/microsoft-edge", "~/.config/vivaldi", "~/.config/Signal", "~/.config/Slack", "~/snap/firefox"),
    *("~/.bash_history", "~/.zsh_history", "~/.psql_history", "~/.python_history", "~/.local/share/fish/fish_history"),
    # macOS
    *("~/Library/Keychains", "~/Library/Cookies", "~/Library/Mail", "~/Library/Messages", "~/Library/Safari"),
    *("~/Library/Application Support/Google/Chrome", "~/Library/Application Support/Firefox"),
)
RUN_LATER: Final = (
    # shells
    *("~/.profile", "~/.bash_profile", "~/.bash_login", "~/.bashrc", "~/.bash_aliases", "~/.bash_logout"),
    *("~/.zshenv", "~/.zprofile", "~/.zshrc", "~/.zlogin", "~/.zlogout", "~/.config/fish", "~/.inputrc"),
    *("~/.xprofile", "~/.xsession", "~/.xinitrc", "~/.pam_environment", "~/.config/environment.d"),
    # git, editors and terminals
    *("~/.gitconfig", "~/.config/git", "~/.vimrc", "~/.vim", "~/.config/nvim", "~/.emacs", "~/.emacs.d"),
    *("~/.tmux.conf", "~/.config/tmux", "~/.screenrc", "~/.gdbinit", "~/.config/direnv"),
    # what a session or a login starts
    *("~/.config/systemd", "~/.config/autostart", "~/.local/share/applications", "~/.local/share/systemd"),
    *("~/Library/LaunchAgents", "~/.local/bin", "~/bin", "~/.local/lib", "~/.config/hypr", "~/.config/i3"),
    *("~/.config/sway", "~/.config/kitty", "~/.config/wezterm", "~/.wezterm.lua", "~/.config/ghostty"),
    *("~/.config/alacritty", "~/.config/zellij", "~/.config/helix", "~/.vscode/extensions", "~/.cursor/extensions"),
    *("~/.config/Code/User/settings.json", "~/.config/Code/User/tasks.json", "~/.config/Code/User/mcp.json"),
    # what shells and tools read before they do anything
    *("~/.oh-my-zsh", "~/.config/zsh", "~/.p10k.zsh", "~/.fzf.bash", "~/.fzf.zsh", "~/.bash_completion"),
    *("~/.config/starship.toml", "~/.config/nushell", "~/.config/xonsh", "~/.config/elvish", "~/.cargo/env"),
    *("~/.cargo/config.toml", "~/.cargo/config", "~/.config/mise", "~/.nvm/nvm.sh", "~/.gradle/init.d"),
    *("~/.gradle/init.gradle", "~/.ipython/profile_default/startup", "~/.jupyter", "~/.pdbrc", "~/.irbrc", "~/.pryrc"),
    *("~/.Rprofile", "~/.lldbinit", "~/.sqliterc", "~/.psqlrc", "~/.hgrc", "~/.config/hg", "~/.config/jj"),
)
"""What runs as the person, later, outside of any sandbox."""
SOCKETS: Final = (
    *("/run/docker.sock", "/var/run/docker.sock", "/run/podman", "/run/containerd", "/run/crio", "/run/libvirt"),
    *("/run/dbus", "/run/systemd/private", "/run/screen", "/run/snapd.socket", "/tmp/.X11-unix"),
)
"""Of programs that start others when they are asked to; `sockets` adds those of the user."""
SOCKET_VARIABLES: Final = (
    *("SSH_AUTH_SOCK", "SSH_AGENT_PID", "GPG_AGENT_INFO", "DBUS_SESSION_BUS_ADDRESS", "TMUX", "TMUX_PANE", "STY"),
    *("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DOCKER_HOST"),
)
TOOLS: Final = (
    *("~/.pyenv", "~/.rbenv", "~/.nvm", "~/.fnm", "~/.asdf", "~/.volta", "~/.sdkman", "~/.jenv", "~/.goenv"),
    *("~/.cargo", "~/.rustup", "~/.bun", "~/.deno", "~/.npm-global", "~/.opencode", "~/.claude/local", "~/.dotnet"),
    *("~/.local/bin", "~/.local/lib", "~/.local/share/claude", "~/.local/share/mise", "~/.local/share/uv"),
    *("~/.local/share/pnpm", "~/.local/share/fnm", "~/.local/share/pipx", "~/go/bin", "~/miniconda3", "~/anaconda3"),
    *("~/.gitconfig", "~/.config/git", "~/.config/mise", "~/.npmrc", "~/.config/pip", "~/.editorconfig"),
)
"""Programs and their settings, which an empty home would lack."""
NOT_A_TOOL: Final = frozenset({".local", ".config", ".cache"})


def homes() -> list[Path]:
    """The person's home, and that of the account where it is another one."""
    found = [Path.home()]
    with suppress(KeyError):
        found.append(Path(pwd.getpwuid(os.getuid()).pw_dir))
    return list(dict.fromkeys(one for one in found if one != Path("/") and one.is_dir()))


def in_homes(names: Iterable[str]) -> Iterator[Path]:
    """Paths that may begin with `~`, in each home."""
    for name in names:
        if name.startswith("~"):
            yield from (home / name[2:] for home in homes())
        else:
            yield Path(name)


def sockets(environment: Mapping[str, str]) -> Iterator[Path]:
    """Through these a program would be started by another one, outside of the sandbox."""
    yield from map(Path, SOCKETS)
    user = os.getuid()
    for name in ("TMUX_TMPDIR", "TMPDIR"):
        if folder := environment.get(name):
            yield Path(folder) / f"tmux-{user}"
    yield from (Path(f"/tmp/tmux-{user}"), Path(f"/run/user/{user}"), Path.home() / ".screen")
    for name in ("XDG_RUNTIME_DIR", "SSH_AUTH_SOCK"):
        if place := environment.get(name):
            yield Path(place)
    if address := environment.get("TMUX"):
        yield Path(address.partition(",")[0])


def on_path(environment: Mapping[str, str]) -> Iterator[Path]:
    """Where programs are looked for, as far as that is below a home."""
    for entry in environment.get("PATH", "").split(os.pathsep):
        path = Path(entry)
        if path.is_absolute() and any(path.is_relative_to(home) and path != home for home in homes()):
            yield path


def tools(environment: Mapping[str, str]) -> Iterator[Path]:
    """Programs below a home: known places, and the directory in the home to which an entry of the PATH belongs."""
    yield from in_homes(TOOLS)
    for path in on_path(environment):
        home = next(one for one in homes() if path.is_relative_to(one))
        first = path.relative_to(home).parts[0]
        yield home / first if first.startswith(".") and first not in NOT_A_TOOL else path
