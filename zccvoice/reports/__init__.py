"""Stored measures → what people read. No measure is computed here: what a report shows is what is stored.

- `calls`     the values of a report, from the store: one call, or many
- `figures`   numbers as people write them: 3:07, 48 %, –
- `measures`  the measures in the order and groups in which a report shows them
- `transcript` what was said, line by line, with what happened in between
- `text`      report → tables on a terminal
- `document`  report → JSON
- `picture`   who spoke when, as the geometry of a drawing
- `html`      report → a folder of web pages that need nothing else

Each takes the same report values, so a script is: read a report, write it.
"""
