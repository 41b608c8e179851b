#pragma once

/// A source of packages, with the key that signs it.

#include "agent/kinds/kind.h"
#include "schema/system.capnp.h"

namespace relab::agent::system {

struct AptRepository {
  static constexpr std::string_view arm = "aptRepository";
  using Params = schema::AptRepository;
  using Facts = schema::AptRepository::Facts;
  /// Fault::missing without gpg: a key that nobody has looked at is not put in place. ::refused
  /// where something by this name is there that relab did not make.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::refused if the key is another one than the fingerprint says.
  static Result<std::vector<Change>> plan(Params::Reader params, Facts::Reader facts);
  /// Fault::unreachable if the lists cannot be read, by the words of apt.
  static Result<void> apply(const Change& change, Host& host);
};
static_assert(ChangeKind<AptRepository>);

}  // namespace relab::agent::system
