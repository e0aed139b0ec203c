#include "bench/series.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace isoenv::bench {

double Series::quantile(double share) const {
  if (values_.empty()) return 0;
  std::vector<double> sorted = values_;
  std::sort(sorted.begin(), sorted.end());
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(place));
  const auto above = static_cast<std::size_t>(std::ceil(place));
  return std::lerp(sorted[below], sorted[above], place - std::floor(place));
}

}  // namespace isoenv::bench
