"""Worlds: the whole agent in simulated time between models that know nothing of it, and a judge
(docs/internals/worlds.md).

Rules
1. The agent runs in `adapter.py` alone. What else is imported of it are constants, its contract with a board, and small
   functions without state; nothing reads what the agent wrote on its flash.
2. A world is a script (JSON), made from a seed (`script.py`); the same script runs the same way anywhere.
3. What the models saw goes into a history (`history.py`); the judge sees nothing else.
"""
