# isoenv_add_service(late): called after the end of the top-level directory
isoenv_add_service(user COMMAND node)
cmake_language(DEFER CALL isoenv_add_service late COMMAND node)
