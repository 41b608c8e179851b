#pragma once

/// Expected failure as a value: `Result<T>`, the `Error` it carries, and the macros that pass it
/// on.

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace relab {

/// What the caller can do about a failure.
enum class Fault {
  invalid,      ///< correct the input
  refused,      ///< never retry, report
  missing,      ///< the thing named does not exist here
  conflict,     ///< the world has changed: observe again
  busy,         ///< retry later
  unreachable,  ///< reconnect, ask again
  unsupported,  ///< this version cannot do it
  damaged,      ///< stop, a person must look
  cancelled,    ///< somebody asked for the end, or a deadline passed
};

std::string_view name(Fault fault);

/// One failure: a sentence with the names in it, the next step for the operator, and what was being
/// done, innermost first.
struct Error {
  Fault fault;
  std::string what;
  std::string hint = {};
  std::vector<std::string> during = {};

  /// All of it in one line, without the hint: "reading the key: /x holds 3 bytes, not 32".
  std::string sentence() const;
};

template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  Result(Base base) : Base(std::move(base)) {}  // NOLINT(google-explicit-constructor): style.md

  /// Adds what was being done to the error, on its way up.
  Result during(std::string step) && {
    if (!*this) this->error().during.push_back(std::move(step));
    return std::move(*this);
  }
};

inline tl::unexpected<Error> fail(Fault fault, std::string what, std::string hint = {}) {
  return tl::unexpected<Error>(
      Error{.fault = fault, .what = std::move(what), .hint = std::move(hint)});
}

inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

/// Ends the process with a message: for what cannot be otherwise, never for input from outside.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace relab

#define RELAB_JOIN_(a, b) a##b
#define RELAB_JOIN(a, b) RELAB_JOIN_(a, b)

/// Declares the value of a Result, or returns its error to our caller.
#define RELAB_TRY(decl, ...)                                                      \
  auto RELAB_JOIN(relab_result_, __LINE__) = (__VA_ARGS__);                       \
  if (!RELAB_JOIN(relab_result_, __LINE__))                                       \
    return ::relab::fail(std::move(RELAB_JOIN(relab_result_, __LINE__)).error()); \
  decl = std::move(*RELAB_JOIN(relab_result_, __LINE__))

/// Returns the error of a Result<void> to our caller.
#define RELAB_CHECK(...)                                      \
  do {                                                        \
    if (auto relab_checked = (__VA_ARGS__); !relab_checked)   \
      return ::relab::fail(std::move(relab_checked).error()); \
  } while (false)

#define RELAB_ASSERT(expr) \
  ((expr) ? static_cast<void>(0) : ::relab::assertion_failed(#expr, __FILE__, __LINE__))
