"""The wire: every model and name that crosses a workflow's boundary.

Other programs and the `temporal` CLI depend on what is here. JSON in, JSON out, snake_case, unknown
fields refused. Nothing here imports anything but the standard library and pydantic.
"""
