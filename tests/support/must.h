#pragma once

/// `must(...)` unwraps what a test takes for granted, and Catch2 learns to print our errors.

#include <catch2/catch.hpp>

#include "common/base/result.h"

namespace relab {

template <typename T>
T must(Result<T> result) {
  if (!result) FAIL(result.error().sentence() << " [" << name(result.error().fault) << "]");
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace relab

template <>
struct Catch::StringMaker<relab::Error> {
  static std::string convert(const relab::Error& error) {
    return std::string(relab::name(error.fault)) + ": " + error.sentence();
  }
};
