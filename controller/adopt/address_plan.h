#pragma once

/// VLANs and addresses for a lab file, out of those that a host and its guests have. A lab file
/// wants more order than most networks have: a VLAN's number is the third octet of its subnet, and
/// every machine has an address of its own. What is not so yet is planned anew, and said.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controller/lab/address.h"

namespace relab::controller {

/// A network card, as configured.
struct Seat {
  std::string machine;
  /// 0: no tag.
  unsigned tag = 0;
  /// Nothing, if it has none or it changes.
  std::optional<lab::Ipv4> address = {};
  /// Of the address.
  unsigned prefix = 24;
  std::optional<lab::Ipv4> gateway = {};
  /// How it gets one, for a remark: "by DHCP".
  std::string how = {};
};

struct PlannedVlan {
  std::string name;
  unsigned id = 0;
  lab::Subnet subnet;
  lab::Ipv4 gateway;
  /// What is otherwise today; empty: it is so.
  std::string remark = {};
};

struct PlannedAddress {
  /// Of its VLAN.
  std::string vlan;
  lab::Ipv4 address;
  /// What is otherwise today; empty: it is so.
  std::string remark = {};
};

struct AddressPlan {
  lab::Subnet supernet;
  std::vector<PlannedVlan> vlans;
  std::map<std::string, PlannedAddress> machines;
};

/// The first seat is the host's own, which has an address.
AddressPlan plan_addresses(const std::vector<Seat>& seats);

}  // namespace relab::controller
