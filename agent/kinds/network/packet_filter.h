#pragma once

/// The kernel's packet filter as nft, iptables-save and ufw tell of it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab::agent::network {

/// Rules of one program that are told; further ones are only counted.
inline constexpr std::size_t rules_max = 1000;
/// Bytes of one rule's content; a longer one is told without it.
inline constexpr std::size_t rule_size_max = 1000;

/// What is not told of the rules.
struct Cut {
  std::size_t left_out = 0;  ///< rules above the limit
  std::size_t too_long = 0;  ///< rules told without their content

  bool operator==(const Cut&) const = default;
};

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
  /// Compact JSON without counters; empty if it is too long.
  std::string expression = {};

  bool operator==(const NftRule&) const = default;
};

struct Nft {
  std::vector<Chain> chains = {};
  std::vector<NftRule> rules = {};
  Cut cut = {};
};

struct IptablesRule {
  std::string family = {};
  std::string table = {};
  std::string chain = {};
  /// The line without counters ("-A INPUT -j DROP"); empty if it is too long.
  std::string rule = {};

  bool operator==(const IptablesRule&) const = default;
};

struct Iptables {
  std::vector<Chain> chains = {};
  std::vector<IptablesRule> rules = {};
  Cut cut = {};
};

/// `nft --json list ruleset`. A ruleset without tables is one; Fault::damaged for what is none, and
/// for a rule of a chain that is not told.
Result<Nft> parse_nft(std::string_view text);

/// What iptables-save or ip6tables-save prints; `family` is "ip" or "ip6". Nothing at all is a
/// filter without tables.
Result<Iptables> parse_iptables_save(std::string_view family, std::string_view text);

struct Ufw {
  std::string status = {};
  std::string defaults = {};
  std::vector<std::string> rules = {};

  bool operator==(const Ufw&) const = default;
};

/// `ufw status verbose`. Fault::damaged without a status.
Result<Ufw> parse_ufw(std::string_view text);

}  // namespace relab::agent::network
