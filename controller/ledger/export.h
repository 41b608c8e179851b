#pragma once

/// The ledger as JSON lines that other tools can check. Format: docs/formats/ledger.md.

#include <string>

#include "controller/ledger/ledger.h"

namespace relab::controller {

/// One line with its line feed: number, entry, hash, and where the entry holds an envelope, that as
/// DSSE JSON.
std::string export_line(const LedgerEntry& entry);

}  // namespace relab::controller
