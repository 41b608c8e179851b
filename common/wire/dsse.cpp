#include "common/wire/dsse.h"

#include <sodium.h>

namespace relab {

namespace {

Result<Bytes> from_hex(const std::string& text) {
  Bytes bytes(text.size() / 2);
  std::size_t size = 0;
  if (sodium_hex2bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &size,
                     nullptr) != 0)
    return fail(Fault::damaged, "its keyid is no hexadecimal number");
  bytes.resize(size);
  return bytes;
}

/// The member's text; nothing if there is none or it is no text.
std::optional<std::string> text_in(const nlohmann::json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_string()) return {};
  return found->get<std::string>();
}

}  // namespace

std::string base64(ByteView bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();  // its NUL
  return text;
}

Result<Bytes> from_base64(std::string_view text) {
  Bytes bytes(text.size() / 4 * 3 + 3);
  std::size_t size = 0;
  if (sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &size,
                        nullptr, sodium_base64_VARIANT_ORIGINAL) != 0)
    return fail(Fault::damaged, "it has something else where there should be base64");
  bytes.resize(size);
  return bytes;
}

nlohmann::json to_dsse(schema::Envelope::Reader envelope) {
  return {{"payloadType", str(envelope.getPayloadType())},
          {"payload", base64(view(envelope.getPayload()))},
          {"signatures",
           {{{"keyid", hex(view(envelope.getKey()))},
             {"sig", base64(view(envelope.getSignature()))}}}}};
}

Result<Message<schema::Envelope>> from_dsse(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return fail(Fault::damaged, "it is no JSON object");
  const auto type = text_in(json, "payloadType");
  const auto payload = text_in(json, "payload");
  const auto signatures = json.find("signatures");
  if (!type || !payload || signatures == json.end() || !signatures->is_array() ||
      signatures->size() != 1 || !signatures->front().is_object())
    return fail(Fault::damaged, "it is no DSSE envelope with one signature");
  const auto key = text_in(signatures->front(), "keyid");
  const auto signature = text_in(signatures->front(), "sig");
  if (!key || !signature)
    return fail(Fault::damaged, "it is no DSSE envelope: its signature lacks a keyid or sig");
  RELAB_TRY(const auto payload_bytes, from_base64(*payload));
  RELAB_TRY(const auto key_bytes, from_hex(*key));
  RELAB_TRY(const auto signature_bytes, from_base64(*signature));
  Draft<schema::Envelope> envelope;
  envelope->setPayloadType(*type);
  envelope->setPayload(blob(payload_bytes));
  envelope->setKey(blob(key_bytes));
  envelope->setSignature(blob(signature_bytes));
  return std::move(envelope).finish();
}

}  // namespace relab
