#pragma once

/// Signed bytes: DSSE's pre-authentication encoding under Ed25519. A payload is verified before it
/// is parsed.

#include <optional>
#include <string_view>

#include "common/crypto/hash.h"
#include "common/crypto/keys.h"
#include "common/wire/message.h"
#include "schema/ledger.capnp.h"
#include "schema/wire.capnp.h"

namespace relab {

/// The payload type of each struct that is ever signed; part of the signed bytes, so no signature
/// serves two purposes.
template <typename T>
struct PayloadType;

#define RELAB_PAYLOAD(Struct, text)                  \
  template <>                                        \
  struct PayloadType<schema::Struct> {               \
    static constexpr std::string_view name = (text); \
  }
RELAB_PAYLOAD(Identity, "application/vnd.relab.identity.v1+capnp");
RELAB_PAYLOAD(EnrolOffer, "application/vnd.relab.enrol-offer.v1+capnp");
RELAB_PAYLOAD(EnrolAnswer, "application/vnd.relab.enrol-answer.v1+capnp");
RELAB_PAYLOAD(EnrolConfirm, "application/vnd.relab.enrol-confirm.v1+capnp");
RELAB_PAYLOAD(EnrolDone, "application/vnd.relab.enrol-done.v1+capnp");
RELAB_PAYLOAD(Attach, "application/vnd.relab.attach.v1+capnp");
RELAB_PAYLOAD(Hello, "application/vnd.relab.hello.v1+capnp");
RELAB_PAYLOAD(Order, "application/vnd.relab.order.v1+capnp");
RELAB_PAYLOAD(Receipt, "application/vnd.relab.receipt.v1+capnp");
RELAB_PAYLOAD(Progress, "application/vnd.relab.progress.v1+capnp");
RELAB_PAYLOAD(Report, "application/vnd.relab.report.v1+capnp");
RELAB_PAYLOAD(Ack, "application/vnd.relab.ack.v1+capnp");
RELAB_PAYLOAD(Cancel, "application/vnd.relab.cancel.v1+capnp");
RELAB_PAYLOAD(Checkpoint, "application/vnd.relab.checkpoint.v1+capnp");
RELAB_PAYLOAD(Countersigned, "application/vnd.relab.countersigned.v1+capnp");
RELAB_PAYLOAD(Approval, "application/vnd.relab.approval.v1+capnp");
RELAB_PAYLOAD(Waiver, "application/vnd.relab.waiver.v1+capnp");
RELAB_PAYLOAD(Unconfirmed, "application/vnd.relab.unconfirmed.v1+capnp");
RELAB_PAYLOAD(Confirm, "application/vnd.relab.confirm.v1+capnp");
RELAB_PAYLOAD(Want, "application/vnd.relab.want.v1+capnp");
RELAB_PAYLOAD(Piece, "application/vnd.relab.piece.v1+capnp");
#undef RELAB_PAYLOAD

/// The largest frame: a message, its signature and names. Orders bring reports along.
inline constexpr std::size_t frame_size_max = message_size_max + (std::size_t{64} << 10U);

/// "DSSEv1 SIZE TYPE SIZE PAYLOAD": https://github.com/secure-systems-lab/dsse, protocol.md.
Bytes pre_authentication_encoding(std::string_view type, ByteView payload);

Message<schema::Envelope> sign_payload(const crypto::Keys& keys, std::string_view type,
                                       ByteView payload);

template <typename T>
Message<schema::Envelope> sign(const crypto::Keys& keys, const Message<T>& message) {
  return sign_payload(keys, PayloadType<T>::name, message.bytes());
}

/// Of the payload bytes of an envelope, whoever signed it; zeros for what is none.
crypto::Digest payload_digest(ByteView envelope);

/// Whether the envelope's own key made its signature. Says nothing about whose key it is.
Result<void> verify_envelope(schema::Envelope::Reader envelope);

/// An envelope whose signature was verified with a key that the caller trusts.
struct Opened {
  Message<schema::Envelope> envelope;
  crypto::PublicKey signer;
  /// Of the payload bytes.
  crypto::Digest digest;

  std::string_view type() const { return view(envelope.reader().getPayloadType()); }
  ByteView payload() const { return view(envelope.reader().getPayload()); }
  template <typename T>
  bool is() const {
    return type() == PayloadType<T>::name;
  }
  /// Fault::damaged if it is of another type.
  template <typename T>
  Result<Message<T>> as() const {
    if (!is<T>()) return fail(Fault::damaged, "a payload of another type: " + std::string(type()));
    return Message<T>::parse(payload());
  }
};

/// Why a frame from outside was not opened; none of these is answered.
enum class Unopened { too_large, malformed, unknown_key, bad_signature };
std::string_view name(Unopened reason);

/// Either what was opened or why not.
struct Opening {
  std::optional<Opened> opened;
  Unopened reason = Unopened::malformed;
};

/// Size, form, key (`trusted(key)` says whether it is pinned), signature, in this order.
template <typename Trusted>
Opening open_frame(ByteView frame, std::size_t size_max, Trusted trusted) {
  if (frame.size() > size_max) return {.opened = {}, .reason = Unopened::too_large};
  auto envelope = Message<schema::Envelope>::parse(frame);
  if (!envelope) return {.opened = {}, .reason = Unopened::malformed};
  const auto key = crypto::public_key(view(envelope->reader().getKey()));
  if (!key || view(envelope->reader().getSignature()).size() != 64)
    return {.opened = {}, .reason = Unopened::malformed};
  if (!trusted(*key)) return {.opened = {}, .reason = Unopened::unknown_key};
  if (!verify_envelope(envelope->reader()))
    return {.opened = {}, .reason = Unopened::bad_signature};
  const auto digest = crypto::digest(view(envelope->reader().getPayload()));
  return {.opened = Opened{.envelope = std::move(*envelope), .signer = *key, .digest = digest}};
}

/// What a known key signed as a statement of this type. Fault::damaged for anything else.
template <typename T>
Result<std::pair<Message<T>, Opened>> open_signed(ByteView bytes, const crypto::PublicKey& key) {
  auto opening =
      open_frame(bytes, message_size_max, [&](const auto& signer) { return signer == key; });
  if (!opening.opened)
    return fail(Fault::damaged,
                "what should be signed does not verify: " + std::string(name(opening.reason)));
  RELAB_TRY(auto message, opening.opened->template as<T>());
  return std::pair(std::move(message), std::move(*opening.opened));
}

}  // namespace relab
