#pragma once

/// `relab ledger show`: the entries that pass a filter, a line each.

#include "controller/cli/command.h"
#include "controller/run/book.h"

namespace relab::controller::cli {

void declare_ledger_show(boost::program_options::options_description& options);
/// The lab tells which phases and agents there may be besides those in the ledger.
ExitCode show_ledger(const Book& book, schema::Lab::Reader lab, const Values& values,
                     Context& context);

}  // namespace relab::controller::cli
