// How a test is told again, for people: a command line that they can paste into a shell.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "env/tolerance.h"

namespace isoenv {

struct RepeatedTest {
  std::string ctest_name;              ///< as CTest has it; "" when it is not known
  std::filesystem::path ctest_folder;  ///< where ctest runs; "" when it does not
  std::string ctest_configuration;     ///< -C; mostly ""
  std::filesystem::path isoenv;        ///< the program
  std::filesystem::path spec_file;
  std::filesystem::path working_directory;
  std::vector<std::string> services;
  std::vector<std::string> faults;
  Tolerance tolerance;
  std::vector<std::string> command;
};

/// `ctest --test-dir DIR -R '^name$'`, or else an `isoenv run` that starts an instance for it.
std::string repeat_command(const RepeatedTest& test);

/// A word as a shell reads it back.
std::string shell_quoted(const std::string& word);

/// Fills in what the ctest above was started with, if there is one. Reads /proc.
void find_ctest(RepeatedTest& test);

}  // namespace isoenv
