#pragma once

/// Names of ZFS: "pool/dataset@snapshot".
/// https://openzfs.github.io/openzfs-docs/man/master/7/zfsconcepts.7.html

#include <string_view>

namespace relab {

/// The pool of a dataset or snapshot, or of the pool itself.
constexpr std::string_view pool_of(std::string_view name) {
  return name.substr(0, name.find_first_of("/@"));
}

}  // namespace relab
