"""`/organizations/{id}/invitations` for those who invite, `/invitations` for those who are invited."""

from __future__ import annotations

from ..services import invitations
from . import schemas
from .endpoint import Answer, Call, endpoint, told

OF_ORGANIZATION = "/organizations/{id}/invitations"


@endpoint(
    "GET",
    OF_ORGANIZATION,
    "organization.invitations.list",
    "List an organization's invitations, with their outcomes",
    needs="manage organization",
    answers={200: schemas.INVITATION_PAGE},
    scope="admin",
)
def listed(call: Call) -> Answer:
    """Open invitations, and those decided in the last month."""
    return told(invitations.of_organization(call, call.path["id"]))


@endpoint(
    "DELETE",
    OF_ORGANIZATION + "/{invitation}",
    "organization.invitations.withdraw",
    "Withdraw an invitation",
    needs="manage organization",
    answers={204: None},
    scope="admin",
)
def withdraw(call: Call) -> Answer:
    """Its link stops working."""
    invitations.withdraw(call, call.path["id"], call.path["invitation"])
    return Answer(status=204)


@endpoint(
    "GET",
    "/invitations",
    "invitation.list",
    "List the invitations that wait for your answer",
    needs="account",
    answers={200: schemas.INVITATION_PAGE},
)
def mine(call: Call) -> Answer:
    """Invitations to the caller's own e-mail address."""
    return told(invitations.mine(call))


@endpoint(
    "POST",
    "/invitations/{id}/accept",
    "invitation.accept",
    "Join the organization that invited you",
    needs="account",
    answers={200: schemas.INVITATION},
    scope="admin",
    refuses=(404, 409),
)
def accept(call: Call) -> Answer:
    """An invitation can be accepted once."""
    return told(invitations.answer(call, call.path["id"], accepted=True))


@endpoint(
    "POST",
    "/invitations/{id}/decline",
    "invitation.decline",
    "Decline an invitation",
    needs="account",
    answers={200: schemas.INVITATION},
    scope="admin",
    refuses=(404, 409),
)
def decline(call: Call) -> Answer:
    """The organization sees the answer."""
    return told(invitations.answer(call, call.path["id"], accepted=False))
