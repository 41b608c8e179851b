#include "common/wire/envelope.h"

#include <fmt/format.h>

namespace relab {

Bytes pre_authentication_encoding(std::string_view type, ByteView payload) {
  const auto head = fmt::format("DSSEv1 {} {} {} ", type.size(), type, payload.size());
  Bytes encoding(head.begin(), head.end());
  encoding.insert(encoding.end(), payload.begin(), payload.end());
  return encoding;
}

Message<schema::Envelope> sign_payload(const crypto::Keys& keys, std::string_view type,
                                       ByteView payload) {
  const auto signature = keys.sign(pre_authentication_encoding(type, payload));
  Draft<schema::Envelope> envelope;
  envelope->setPayloadType(std::string(type));
  envelope->setPayload(blob(payload));
  envelope->setKey(blob(keys.sign_key()));
  envelope->setSignature(blob(signature));
  return std::move(envelope).finish();
}

crypto::Digest payload_digest(ByteView envelope) {
  const auto message = Message<schema::Envelope>::parse(envelope);
  return message ? crypto::digest(view(message->reader().getPayload())) : crypto::Digest{};
}

Result<void> verify_envelope(schema::Envelope::Reader envelope) {
  RELAB_TRY(const auto key, crypto::public_key(view(envelope.getKey())));
  const auto encoding =
      pre_authentication_encoding(view(envelope.getPayloadType()), view(envelope.getPayload()));
  if (!crypto::verify(key, encoding, view(envelope.getSignature())))
    return fail(Fault::damaged, "the signature does not fit the bytes");
  return {};
}

std::string_view name(Unopened reason) {
  switch (reason) {
    case Unopened::too_large:
      return "too large";
    case Unopened::malformed:
      return "malformed";
    case Unopened::unknown_key:
      return "unknown key";
    case Unopened::bad_signature:
      return "bad signature";
  }
  return "unknown";
}

}  // namespace relab
