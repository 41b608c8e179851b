#pragma once

/// Signed envelopes as DSSE JSON, which tools of others read and write.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "common/wire/envelope.h"

namespace relab {

std::string base64(ByteView bytes);
/// Fault::damaged for anything that is none.
Result<Bytes> from_base64(std::string_view text);

/// `{payloadType, payload, signatures: [{keyid, sig}]}`, bytes in base64, the key in hexadecimal.
nlohmann::json to_dsse(schema::Envelope::Reader envelope);

/// The envelope that the text has; nothing is verified. Fault::damaged if it is no such JSON, or
/// has more or fewer signatures than one.
Result<Message<schema::Envelope>> from_dsse(std::string_view text);

}  // namespace relab
