# isoenv_add_test(probe): ENV: "A" is given twice
isoenv_add_test(NAME probe COMMAND probe SCOPE TEST ENV A=1 A=2)
