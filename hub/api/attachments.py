"""Endpoints of files: announced and completed here; the bytes go to and come from `/uploads`."""

from __future__ import annotations

from ...missions.entities import Attachment
from ..uploads import attachments
from .endpoint import Answer, Call, Schema, endpoint, told
from .schema import ID, TEXT, TIME, body, entity, page

STATES = ["waiting", "stored", "refused", "complete"]
FILE = entity(Attachment, more={"state": {"type": "string", "enum": STATES}, "reason": TEXT})  # type: ignore[dict-item]
ADDRESS: Schema = {
    "type": "object",
    "properties": {"attachment": FILE, "uploadUrl": TEXT, "expiresAt": TIME},
    "required": ["attachment", "uploadUrl", "expiresAt"],
}
WANTED = body(
    more={
        "id": ID,
        "missionId": ID,
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "mime": {"type": "string", "maxLength": 200},
        "size": {"type": "integer", "minimum": 1},
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    },
    required=("missionId", "name", "mime", "size", "sha256"),
)


@endpoint(
    "POST",
    "/projects/{id}/attachments",
    "attachment.announce",
    "Announce a file; the answer has the upload address",
    needs="write missions",
    body=WANTED,
    answers={201: ADDRESS, 200: ADDRESS},
)
def announce(call: Call) -> Answer:
    """The answer has a signed address to send the bytes to."""
    shown, new = attachments.announce(call, call.path["id"], call.body, call.base_url)
    return told(shown, 201 if new else 200)


@endpoint(
    "GET",
    "/missions/{id}/attachments",
    "attachment.list",
    "List the files of a mission",
    needs="read missions",
    answers={200: page(FILE)},
)
def listed(call: Call) -> Answer:
    """Only files whose upload is complete."""
    return told(attachments.listed(call, call.path["id"]))


@endpoint(
    "GET", "/attachments/{id}", "attachment.get", "Read a file's record", needs="read missions", answers={200: FILE}
)
def get(call: Call) -> Answer:
    """Works during the upload, too."""
    return told(attachments.get(call, call.path["id"]))


@endpoint(
    "GET",
    "/attachments/{id}/content",
    "attachment.content",
    "Download a file, through a short-lived address",
    needs="read missions",
    answers={302: None},
)
def content(call: Call) -> Answer:
    """Answers with a redirect to `/uploads`."""
    place = attachments.content(call, call.path["id"], call.base_url)
    return Answer(status=302, headers={"Location": place, "Cache-Control": "no-store"})


@endpoint(
    "POST",
    "/attachments/{id}/upload-url",
    "attachment.address",
    "Get a new address for an unfinished upload",
    needs="write missions",
    answers={200: ADDRESS},
)
def address(call: Call) -> Answer:
    """An earlier address expires within an hour."""
    return told(attachments.address(call, call.path["id"], call.base_url))


@endpoint(
    "POST",
    "/attachments/{id}/complete",
    "attachment.complete",
    "Finish an upload",
    needs="write missions",
    answers={200: FILE},
    refuses=(409,),
)
def complete(call: Call) -> Answer:
    """From now on the file belongs to its mission."""
    return told(attachments.complete(call, call.path["id"]))


@endpoint(
    "DELETE",
    "/attachments/{id}",
    "attachment.delete",
    "Remove a file from its mission",
    needs="write missions",
    answers={204: None},
)
def remove(call: Call) -> Answer:
    """Deletes its content as well."""
    attachments.remove(call, call.path["id"])
    return Answer(status=204)
