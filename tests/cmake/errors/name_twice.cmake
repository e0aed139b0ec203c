# isoenv_add_service(user): environment "shop" already has a service "user", added in name_twice.cmake
isoenv_add_service(user COMMAND node)
isoenv_add_service(user COMMAND deno)
