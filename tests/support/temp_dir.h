// A new directory under /tmp with a short path (unix sockets must fit), removed with all in it.
#pragma once

#include <filesystem>

namespace isoenv::test {

class TempDir {
 public:
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace isoenv::test
