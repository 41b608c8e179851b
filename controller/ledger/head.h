#pragma once

/// A head of the ledger that is kept elsewhere: its newest signed checkpoint, one line of DSSE
/// JSON. Whoever has it notices that the ledger's end was cut off, or that it was replaced.

#include <string>
#include <string_view>

#include "common/base/time.h"
#include "common/crypto/keys.h"
#include "controller/ledger/ledger.h"

namespace relab::controller {

struct Head {
  std::string lab;
  /// How many entries it covers.
  std::uint64_t entries = 0;
  /// The chain's hash after them.
  crypto::Digest hash{};
  /// When it was signed.
  Instant time;
};

/// Whose ledger a head is compared with.
struct HeadOwner {
  std::string lab;
  crypto::PublicKey key;
};

/// The checkpoint's envelope as one line with its line feed.
Result<std::string> head_line(ByteView checkpoint);

/// Fault::damaged for what is no signed head, ::conflict for one of another controller or lab.
Result<Head> read_head(std::string_view text, const HeadOwner& owner);

/// Whether the ledger is the one that the head was taken from, or its continuation. Fault::damaged
/// says what it is instead.
Result<void> check_against(const Ledger& ledger, const Head& head);

}  // namespace relab::controller
