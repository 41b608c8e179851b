#pragma once

/// The kernel's packet filter as nft, iptables-save and ufw tell of it.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab::agent::network {

struct Chain {
  std::string program = {};
  std::string family = {};
  std::string table = {};
  std::string name = {};
  std::string hook = {};
  std::int32_t priority = 0;
  std::string policy = {};
  std::uint32_t rules = 0;

  bool operator==(const Chain&) const = default;
};

struct NftRule {
  std::string family = {};
  std::string table = {};
  std::string chain = {};
  std::string comment = {};
  /// Compact JSON without counters, of a bounded size.
  std::string expression = {};

  bool operator==(const NftRule&) const = default;
};

struct Nft {
  std::vector<Chain> chains = {};
  /// The first 500.
  std::vector<NftRule> rules = {};
};

/// `nft --json list ruleset`. A ruleset without tables is one; Fault::damaged for what is none, and
/// for a rule of a chain that is not told.
Result<Nft> parse_nft(std::string_view json);

/// What iptables-save or ip6tables-save prints; `family` is "ip" or "ip6". Nothing at all is a
/// filter without tables.
Result<std::vector<Chain>> parse_iptables_save(std::string_view family, std::string_view text);

struct Ufw {
  std::string status = {};
  std::string defaults = {};
  std::vector<std::string> rules = {};

  bool operator==(const Ufw&) const = default;
};

/// `ufw status verbose`. Fault::damaged without a status.
Result<Ufw> parse_ufw(std::string_view text);

}  // namespace relab::agent::network
