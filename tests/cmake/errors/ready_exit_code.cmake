# isoenv_add_task(seed): READY_EXIT: "256" is not an exit code from 0 to 255
isoenv_add_task(seed COMMAND node READY_EXIT 256)
