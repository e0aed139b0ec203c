# IsoEnv: there is no target isoenv::isoenv; add IsoEnv with find_package(), FetchContent or add_subdirectory(), or set ISOENV_EXECUTABLE
isoenv_add_service(user COMMAND node)
