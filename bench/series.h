// What repeated measurements say: the middle one, and how far the middle half lies apart.
//
// Never a mean: one repetition during which the machine did something else would move it.
#pragma once

#include <vector>

namespace isoenv::bench {

class Series {
 public:
  void add(double value) { values_.push_back(value); }

  bool empty() const noexcept { return values_.empty(); }
  /// In the order in which they were measured.
  const std::vector<double>& values() const noexcept { return values_; }

  /// The value below which `share` of all lie, between neighbours by proportion; 0 when empty.
  double quantile(double share) const;
  double median() const { return quantile(0.5); }

 private:
  std::vector<double> values_;
};

}  // namespace isoenv::bench
