# The default environment is the project's name, made a name.
function(expect_environment project environment)
  configure_project(BUILD "${WORK_DIR}/${environment}"
    ARGS "-DNAME=${project}" "-DISOENV_EXECUTABLE=${STAND_IN}")
  read_spec(spec "${environment}")
  string(JSON name GET "${spec}" environment)
  expect_equal("the environment of ${project}" "${name}" "${environment}")
endfunction()

expect_environment(MyShop myshop)
expect_environment("My Shop_2.0+" my-shop-2-0)
expect_environment(__init__ init)
string(REPEAT "abcdefgh-" 10 long)
string(SUBSTRING "${long}" 0 62 short)
expect_environment("${long}" "${short}")

configure_project(FAILS BUILD "${WORK_DIR}/none" ARGS -DNAME=__ "-DISOENV_EXECUTABLE=${STAND_IN}")
expect_contains("the output" "${output}" "isoenv_add_service(server): the project's name \"__\"")
expect_contains("the output" "${output}" "give ENVIRONMENT")
