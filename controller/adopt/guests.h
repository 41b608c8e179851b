#pragma once

/// Guests and cards of a host, as a lab file describes them.

#include <map>
#include <string>
#include <vector>

#include "controller/adopt/address_plan.h"
#include "controller/adopt/adopt.h"
#include "controller/adopt/lab_text.h"
#include "controller/adopt/storage.h"

namespace relab::controller {

struct AdoptedCard {
  std::string name;
  /// "intel"
  std::string vendor;
  std::string model;
  /// "8086:56a6"
  std::string pci_id;
  /// On the bus: "0000:04:00.0".
  std::string address;
  /// "renderD128"; empty: it has none.
  std::string render;
};

std::vector<AdoptedCard> adopt_cards(const AdoptedAudit& audit);
void write(const std::vector<AdoptedCard>& cards, LabText& out);

/// By VMID: names as a lab file has them, each once, none that of the host.
std::map<std::uint32_t, std::string> guest_names(const AdoptedAudit& audit,
                                                 const std::string& host);

/// The first network card of each.
std::vector<Seat> guest_seats(const AdoptedAudit& audit,
                              const std::map<std::uint32_t, std::string>& names);

/// What guests are described with.
struct GuestGround {
  const AdoptedAudit& audit;
  const std::map<std::uint32_t, std::string>& names;
  const AddressPlan& addresses;
  const AdoptedStorage& storage;
  const std::vector<AdoptedCard>& cards;
};
void write_guests(const GuestGround& ground, LabText& out);

}  // namespace relab::controller
