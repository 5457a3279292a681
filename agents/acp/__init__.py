"""Any agent that speaks the Agent Client Protocol, as a program whose lines our session host can keep.

The host owns an agent's pipes and knows lines alone, so this adapter stands between the two: it speaks ACP with the
agent, its child, prints what it hears as JSON lines (parsers/acp.py reads them), and takes a person's words on its
standard input, in the shape of speech.py.
"""
