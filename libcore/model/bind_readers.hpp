// Binds one reader's message: what its kind needs, what it does not know.
#pragma once

#include <string>

#include "model/settings.hpp"
#include "model/settings_binder.hpp"

namespace lbann_data {
class Reader;
}

namespace lbann::model {

/// Fills `r` from the message at `path`; what all readers share (role, fractions) is bound by the caller.
/// Reports every independent error. False: the kind is unknown or not supported.
bool bind_reader_kind(SettingsBinder& b, const lbann_data::Reader& message, const std::string& path,
                      ReaderSettings& r);

}  // namespace lbann::model
