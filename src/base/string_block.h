// Strings in one piece of memory, each ended by a NUL, as execve(2) takes an environment.
//
// Thousands of them cost one allocation and are copied by one memcpy(3). Strings are added at the
// end and never changed.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isoenv {

class StringBlock {
 public:
  class const_iterator {  // NOLINT(readability-identifier-naming): the standard library's name
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;
    using pointer = const std::string_view*;
    using reference = std::string_view;

    const_iterator() = default;
    explicit const_iterator(const char* at) : at_(at) {}

    std::string_view operator*() const { return at_; }
    const_iterator& operator++() {
      at_ += (**this).size() + 1;
      return *this;
    }
    const_iterator operator++(int) {
      const const_iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const const_iterator&) const = default;

   private:
    const char* at_ = nullptr;
  };
  using iterator = const_iterator;
  using value_type = std::string_view;

  StringBlock() = default;
  StringBlock(std::initializer_list<std::string_view> strings);
  explicit StringBlock(const std::vector<std::string>& strings);
  /// What `bytes()` gave.
  static StringBlock from_bytes(std::string bytes);

  /// `text` has no NUL.
  void push_back(std::string_view text);

  const_iterator begin() const { return const_iterator(bytes_.data()); }
  const_iterator end() const { return const_iterator(bytes_.data() + bytes_.size()); }
  bool empty() const { return bytes_.empty(); }
  /// Counts them.
  std::size_t size() const;
  const std::string& bytes() const { return bytes_; }

  /// One for each string and a null pointer, valid while the block is there and as it is.
  std::vector<const char*> pointers() const;

  bool operator==(const StringBlock&) const = default;

 private:
  std::string bytes_;
};

}  // namespace isoenv
