# isoenv_add_task(seed): a task has no "PUBLISH"
isoenv_add_task(seed COMMAND node PORTS http PUBLISH http)
