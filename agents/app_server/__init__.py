"""Between the session host and `codex app-server`: JSON-RPC in lines, as its `generate-json-schema` has it.

connection.py    requests, answers and notifications of one process
approvals.py     what Codex asks for: answered by the project's rules, else by a person
conversation.py  the thread and its turns: begun, steered, broken off
"""
