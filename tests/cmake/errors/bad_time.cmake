# isoenv_add_service(user): STOP_TIMEOUT: "soon" is not a span of time such as "500ms", "30s" or "2m"
isoenv_add_service(user COMMAND node STOP_TIMEOUT soon)
