# isoenv_add_task(seed): LOG_LIMIT: "64" has no unit, did you mean "64MiB"?
isoenv_add_task(seed COMMAND node LOG_LIMIT 64)
