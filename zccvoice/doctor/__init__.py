"""Is everything in order? Looks at an installation and says what is not, and what to do.

`finding` what a check says · `examination` all of them, each within its time · `measuring`, `credentials`,
`storage` (database, disk, master key), `rules`, `weights` what is here · `outside` the door, its certificate,
Zoom's API · `clocks` the time.
"""
