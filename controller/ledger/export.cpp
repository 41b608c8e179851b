#include "controller/ledger/export.h"

#include <nlohmann/json.hpp>
#include <sodium.h>

#include "common/reflect/union.h"
#include "common/wire/envelope.h"

namespace relab::controller {

namespace {

std::string base64(ByteView bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();  // its NUL
  return text;
}

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

nlohmann::json dsse(schema::Envelope::Reader envelope) {
  return {{"payloadType", str(envelope.getPayloadType())},
          {"payload", base64(view(envelope.getPayload()))},
          {"signatures",
           {{{"keyid", hex(view(envelope.getKey()))},
             {"sig", base64(view(envelope.getSignature()))}}}}};
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
    line["envelope"] = dsse(envelope->reader());
  return line.dump() + "\n";
}

}  // namespace relab::controller
