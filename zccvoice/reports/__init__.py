"""Stored measures → what people read. No measure of a call is computed here: reports show what is stored.

One call, or a list of calls:

- `calls`     the values of a report, from the store: one call, or many
- `figures`   numbers as people write them: 3:07, 48 %, –
- `measures`  the measures in the order and groups in which a report shows them
- `transcript` what was said, line by line, with what happened in between
- `text`      report → tables on a terminal
- `document`  report → JSON
- `picture`   who spoke when, as the geometry of a drawing
- `html`      report → a folder of web pages that need nothing else
- `private_file` a file that is whole or not there, and its owner's alone

Many calls together:

- `table`     what a report is before it has a form: tables of typed columns, and charts
- `period`    which time, and the time before; `scope` which calls; `summary_columns` which numbers
- `agents`, `queues`, `worst`, `compliance`, `quality`, `targets`, `calls_table`  the reports, from the store
- `forms`     a report in any form: `printed` (text), `report_document` (JSON), `delimited` (CSV), `workbook`
              (XLSX), `columnar` (Parquet), `report_page` (HTML, with `charts`); `flat` is what files get of it
- `dashboards`  Grafana's, from the queries in the folder ``grafana``

Each takes the same report values, so a script is: read a report, write it.
"""
