#include "base/string_block.h"

#include <algorithm>

namespace isoenv {

StringBlock::StringBlock(std::initializer_list<std::string_view> strings) {
  for (const std::string_view text : strings) push_back(text);
}

StringBlock::StringBlock(const std::vector<std::string>& strings) {
  for (const std::string& text : strings) push_back(text);
}

StringBlock StringBlock::from_bytes(std::string bytes) {
  StringBlock block;
  block.bytes_ = std::move(bytes);
  return block;
}

void StringBlock::push_back(std::string_view text) {
  bytes_.append(text);
  bytes_.push_back('\0');
}

std::size_t StringBlock::size() const {
  return static_cast<std::size_t>(std::count(bytes_.begin(), bytes_.end(), '\0'));
}

std::vector<const char*> StringBlock::pointers() const {
  std::vector<const char*> result;
  result.reserve(size() + 1);
  for (const std::string_view text : *this) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace isoenv
