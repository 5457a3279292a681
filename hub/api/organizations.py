"""`/auth`, `/organizations` and tokens."""

from __future__ import annotations

from ..services import people
from . import auditing, schemas
from .endpoint import Answer, Call, Parameter, endpoint

ONE = "/organizations/{id}"


@endpoint("GET", "/auth/whoami", "auth.whoami", "Who you are", needs="account", answers={200: schemas.OBJECT})
def whoami(call: Call) -> Answer:
    """The caller with its organisations."""
    return people.whoami(call)


@endpoint("GET", "/tokens", "token.list", "List your access tokens", needs="account", answers={200: schemas.TOKEN_PAGE})
def list_tokens(call: Call) -> Answer:
    """Without their texts."""
    return people.list_tokens(call, None)


@endpoint(
    "POST",
    "/tokens",
    "token.create",
    "Make an access token",
    needs="account",
    answers={201: schemas.TOKEN},
    body=schemas.TOKEN_CREATE,
    scope="admin",
)
def create_token(call: Call) -> Answer:
    """Its text is in this answer alone."""
    return people.create_token(call, None)


@endpoint(
    "DELETE",
    "/tokens/{id}",
    "token.revoke",
    "Revoke an access token",
    needs="account",
    answers={204: None},
    scope="admin",
)
def revoke_token(call: Call) -> Answer:
    """For good."""
    return people.revoke_token(call, call.path["id"], None)


@endpoint(
    "GET",
    "/organizations",
    "organization.list",
    "List your organizations",
    needs="account",
    answers={200: schemas.ORGANIZATION_PAGE},
)
def list_organizations(call: Call) -> Answer:
    """Those the caller belongs to."""
    return people.list_organizations(call)


@endpoint(
    "POST",
    "/organizations",
    "organization.create",
    "Create an organization",
    needs="account",
    answers={201: schemas.ORGANIZATION},
    body=schemas.ORGANIZATION_CREATE,
    scope="admin",
)
def create_organization(call: Call) -> Answer:
    """The caller owns it."""
    return people.create_organization(call)


@endpoint(
    "GET",
    ONE,
    "organization.get",
    "Read an organization",
    needs="see organization",
    answers={200: schemas.ORGANIZATION},
)
def get_organization(call: Call) -> Answer:
    """For its members."""
    return people.get_organization(call, call.path["id"])


@endpoint(
    "PATCH",
    ONE,
    "organization.update",
    "Change an organization's settings",
    needs="manage organization",
    answers={200: schemas.ORGANIZATION},
    body=schemas.ORGANIZATION_PATCH,
    if_match="optional",
    scope="admin",
)
def update_organization(call: Call) -> Answer:
    """JSON merge."""
    return people.update_organization(call, call.path["id"])


@endpoint(
    "DELETE",
    ONE,
    "organization.delete",
    "Delete an organization with its projects",
    needs="own organization",
    answers={204: None},
    scope="admin",
)
def delete_organization(call: Call) -> Answer:
    """Its owner alone."""
    return people.delete_organization(call, call.path["id"])


@endpoint(
    "GET",
    ONE + "/members",
    "organization.members.list",
    "List an organization's members",
    needs="see organization",
    answers={200: schemas.MEMBER_PAGE},
)
def organization_people(call: Call) -> Answer:
    """With their roles."""
    return people.organization_people(call, call.path["id"])


@endpoint(
    "POST",
    ONE + "/members",
    "organization.members.invite",
    "Invite a person by e-mail, or change a role",
    needs="manage organization",
    answers={200: schemas.MEMBER},
    body=schemas.INVITATION,
    scope="admin",
)
def invite(call: Call) -> Answer:
    """They need not have signed in yet."""
    return people.invite(call, call.path["id"])


@endpoint(
    "DELETE",
    ONE + "/members/{user}",
    "organization.members.remove",
    "Take a member out, or leave",
    needs="see organization",
    answers={204: None},
    scope="admin",
)
def remove_person(call: Call) -> Answer:
    """The last owner stays."""
    return people.remove_person(call, call.path["id"], call.path["user"])


@endpoint(
    "GET",
    ONE + "/keys",
    "organization.keys.list",
    "List an organization's keys",
    needs="manage organization",
    answers={200: schemas.TOKEN_PAGE},
    scope="admin",
)
def list_keys(call: Call) -> Answer:
    """Without their texts."""
    return people.list_tokens(call, call.path["id"])


@endpoint(
    "POST",
    ONE + "/keys",
    "organization.keys.create",
    "Make an organization key",
    needs="manage organization",
    answers={201: schemas.TOKEN},
    body=schemas.TOKEN_CREATE,
    scope="admin",
)
def create_key(call: Call) -> Answer:
    """Its text is in this answer alone."""
    return people.create_token(call, call.path["id"])


@endpoint(
    "DELETE",
    ONE + "/keys/{key}",
    "organization.keys.revoke",
    "Revoke an organization key",
    needs="manage organization",
    answers={204: None},
    scope="admin",
)
def revoke_key(call: Call) -> Answer:
    """For good."""
    return people.revoke_token(call, call.path["key"], call.path["id"])


@endpoint(
    "GET",
    ONE + "/audit",
    "organization.audit",
    "Read what was done in an organization, by whom and from where",
    needs="own organization",
    answers={200: schemas.AUDIT_PAGE},
    scope="admin",
    query=(
        schemas.AFTER,
        schemas.LIMIT,
        Parameter("action", {"type": "string", "maxLength": 64}, "An operationId."),
        Parameter("caller", {"type": "string", "maxLength": 80}, "As in an entry."),
    ),
)
def read_audit(call: Call) -> Answer:
    """The newest first."""
    return auditing.listed(call, call.path["id"])
