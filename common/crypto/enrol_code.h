#pragma once

/// The one-time code of an enrolment: 128 random bits that a person carries from the agent to the
/// controller, and what both derive from it. Who does not know the code can neither complete the
/// CURVE handshake nor make the proofs.

#include <string>

#include "common/crypto/hash.h"
#include "common/crypto/keys.h"

namespace relab::crypto {

/// A CURVE key pair in Z85.
struct CurvePair {
  std::string secret_z85;
  std::string public_z85;
};

class EnrolCode {
 public:
  static EnrolCode make();
  /// Of `text()`; white space, dashes and case do not matter. Fault::invalid for a slip, which the
  /// check digits find.
  static Result<EnrolCode> parse(std::string_view text);

  /// Nine groups of four hexadecimal digits, the last one for checking.
  std::string text() const;

  CurvePair agent_pair() const { return derive("agent"); }
  CurvePair controller_pair() const { return derive("controller"); }

  /// The proofs of the three messages; `purpose` tells one from the other.
  Digest proof(std::string_view purpose, std::initializer_list<ByteView> parts) const;

 private:
  explicit EnrolCode(Secret code) : code_(std::move(code)) {}
  CurvePair derive(std::string_view side) const;
  Secret code_;
};

}  // namespace relab::crypto
