#pragma once

/// The agent's answers: receipts and reports.

#include <string>

#include "agent/journal/journal.h"
#include "agent/worker/workers.h"
#include "common/wire/envelope.h"

namespace relab::agent {

struct ReceiptParts {
  const Bytes& task;
  const crypto::Digest& order_digest;
  schema::Refusal refusal;
  const std::string& what;
  schema::State state = schema::State::UNSET;
};
Message<schema::Receipt> receipt(const ReceiptParts& parts);

/// Where a report was made.
struct Origin {
  const std::string& machine_id;
  const std::string& boot_id;
};
/// Bound to the order as the journal has it.
Message<schema::Report> make_report(const TaskEnd& end, const JournalRow& row,
                                    const Origin& origin);

std::string_view words_of(schema::Outcome outcome);

}  // namespace relab::agent
