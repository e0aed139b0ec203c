# DEPENDS seed:ready: "seed" is a task, which can only be needed as "completed"
isoenv_add_service(user COMMAND node DEPENDS seed:ready)
isoenv_add_task(seed COMMAND node)
