"""Where what tasks make is kept, and the proof that it is complete.

Bytes are named by their digest, records by run and task. Read
``docs/explanation/store.md`` for the order in which they are written.
"""
