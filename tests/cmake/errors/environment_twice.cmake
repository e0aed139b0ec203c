# isoenv_add_environment(shop): the environment was already added, in environment_twice.cmake
isoenv_add_environment(shop)
isoenv_add_environment(shop ENV A=1)
