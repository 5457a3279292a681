"""`/auth`, `/organizations` and tokens."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from ..services import invitations, people
from . import auditing, schemas
from .endpoint import Answer, Call, Parameter, endpoint, told
from .preconditions import check

ONE = "/organizations/{id}"
NOT_KEPT = {"Cache-Control": "no-store"}
"""A token is shown only once."""


@endpoint("GET", "/auth/whoami", "auth.whoami", "Show who is signed in", needs="account", answers={200: schemas.OBJECT})
def whoami(call: Call) -> Answer:
    """The caller, with the organizations it belongs to."""
    return told(people.whoami(call))


@endpoint("GET", "/tokens", "token.list", "List your access tokens", needs="account", answers={200: schemas.TOKEN_PAGE})
def list_tokens(call: Call) -> Answer:
    """Without their secret texts."""
    return told(people.list_tokens(call, None))


@endpoint(
    "POST",
    "/tokens",
    "token.create",
    "Create an access token",
    needs="account",
    answers={201: schemas.TOKEN},
    body=schemas.TOKEN_CREATE,
    scope="admin",
)
def create_token(call: Call) -> Answer:
    """Only this answer has the secret text."""
    return replace(told(people.create_token(call, None, call.body), 201), headers=NOT_KEPT)


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
    """Cannot be undone."""
    people.revoke_token(call, call.path["id"], None)
    return Answer(status=204)


@endpoint(
    "GET",
    "/organizations",
    "organization.list",
    "List your organizations",
    needs="account",
    answers={200: schemas.ORGANIZATION_PAGE},
)
def list_organizations(call: Call) -> Answer:
    """Organizations that the caller belongs to."""
    return told(people.list_organizations(call))


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
    """The caller becomes its owner."""
    return told(people.create_organization(call, call.body), 201)


@endpoint(
    "GET",
    ONE,
    "organization.get",
    "Read an organization",
    needs="see organization",
    answers={200: schemas.ORGANIZATION},
)
def get_organization(call: Call) -> Answer:
    """For members only."""
    return told(people.get_organization(call, call.path["id"]))


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
    """A JSON merge patch."""
    return told(people.update_organization(call, call.path["id"], call.body, partial(check, call)))


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
    """For its owners only."""
    people.delete_organization(call, call.path["id"])
    return Answer(status=204)


@endpoint(
    "GET",
    ONE + "/members",
    "organization.members.list",
    "List an organization's members",
    needs="see organization",
    answers={200: schemas.MEMBER_PAGE},
)
def organization_people(call: Call) -> Answer:
    """Members with their roles."""
    return told(people.organization_people(call, call.path["id"]))


@endpoint(
    "POST",
    ONE + "/members",
    "organization.members.invite",
    "Invite a person by e-mail; nothing changes until they accept",
    needs="manage organization",
    answers={201: schemas.INVITATION},
    body=schemas.INVITE,
    scope="admin",
)
def invite(call: Call) -> Answer:
    """Only this answer has the link."""
    return replace(told(invitations.offer(call, call.path["id"], call.body, call.base_url), 201), headers=NOT_KEPT)


@endpoint(
    "PATCH",
    ONE + "/members/{user}",
    "organization.members.role",
    "Give a member another role",
    needs="manage organization",
    answers={200: schemas.MEMBER},
    body=schemas.ROLE,
    scope="admin",
    refuses=(404, 409),
)
def set_role(call: Call) -> Answer:
    """Only owners can give or take the role of an owner."""
    return told(people.set_role(call, call.path["id"], call.path["user"], call.body))


@endpoint(
    "DELETE",
    ONE + "/members/{user}",
    "organization.members.remove",
    "Remove a member, or leave",
    needs="see organization",
    answers={204: None},
    scope="admin",
)
def remove_person(call: Call) -> Answer:
    """The last owner cannot be removed."""
    people.remove_person(call, call.path["id"], call.path["user"])
    return Answer(status=204)


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
    """Without their secret texts."""
    return told(people.list_tokens(call, call.path["id"]))


@endpoint(
    "POST",
    ONE + "/keys",
    "organization.keys.create",
    "Create an organization key",
    needs="manage organization",
    answers={201: schemas.TOKEN},
    body=schemas.TOKEN_CREATE,
    scope="admin",
)
def create_key(call: Call) -> Answer:
    """Only this answer has the secret text."""
    return replace(told(people.create_token(call, call.path["id"], call.body), 201), headers=NOT_KEPT)


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
    """Cannot be undone."""
    people.revoke_token(call, call.path["key"], call.path["id"])
    return Answer(status=204)


@endpoint(
    "GET",
    ONE + "/audit",
    "organization.audit",
    "Read the audit log of an organization",
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
    """Newest first."""
    return auditing.listed(call, call.path["id"])
