"""The hub: the self-hosted server, `/api/v1`, `/ws/v1`, sign-in and public projects."""
