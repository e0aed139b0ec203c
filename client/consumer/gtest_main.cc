// The main() of isoenv::gtest, compiled as part of the program that links it.
#include <isoenv/gtest.h>

int main(int argc, char** argv) { return isoenv::run_all_tests(argc, argv); }
