#pragma once

/// A copy of somebody else's SQLite database.

#include <filesystem>
#include <stop_token>

#include "common/base/result.h"

namespace relab::store {

/// As of one moment, also while others write to it, by SQLite's own backup; the copy was checked
/// by SQLite, and is alone, without a log beside it. Its owner and mode are those of the database.
/// Fault::missing if there is no such database, ::damaged if it is none or does not hold together,
/// ::busy if others kept it locked, ::conflict if there is something at `copy`, ::cancelled if it
/// was stopped. No half copy is left.
Result<void> copy_database(const std::filesystem::path& database, const std::filesystem::path& copy,
                           const std::stop_token& stop);

}  // namespace relab::store
