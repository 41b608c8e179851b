#include "controller/ledger/export.h"

#include <nlohmann/json.hpp>

#include "common/reflect/union.h"
#include "common/wire/dsse.h"

namespace relab::controller {

namespace {

/// The bytes of the envelope or signed statement that an entry carries, if it carries one.
ByteView envelope_of(schema::Entry::Reader entry) {
  switch (entry.which()) {
    case schema::Entry::CREATED:
      return view(entry.getCreated().getIdentity());
    case schema::Entry::ENROLLED:
      return view(entry.getEnrolled().getIdentity());
    case schema::Entry::ORDERED:
      return view(entry.getOrdered().getEnvelope());
    case schema::Entry::RECEIVED:
      return view(entry.getReceived().getEnvelope());
    case schema::Entry::REFUSED:
      return view(entry.getRefused().getEnvelope());
    case schema::Entry::CHECKPOINT:
      return view(entry.getCheckpoint().getEnvelope());
    case schema::Entry::APPROVED:
      return view(entry.getApproved().getEnvelope());
    case schema::Entry::WAIVED:
      return view(entry.getWaived().getEnvelope());
    default:
      return {};
  }
}

}  // namespace

std::string export_line(const LedgerEntry& stored) {
  const auto entry = stored.entry.reader();
  nlohmann::json line = {{"number", stored.number},
                         {"time", entry.getTime()},
                         {"kind", reflect::member_of(capnp::toDynamic(entry))},
                         {"entry", base64(stored.entry.bytes())},
                         {"hash", hex(stored.hash)}};
  const auto bytes = envelope_of(entry);
  if (const auto envelope = bytes.empty()
                                ? Result<Message<schema::Envelope>>(fail(Fault::missing, "none"))
                                : Message<schema::Envelope>::parse(bytes))
    line["envelope"] = to_dsse(envelope->reader());
  return line.dump() + "\n";
}

}  // namespace relab::controller
