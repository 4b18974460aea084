// Chains of the usual layers, as text: Chain keeps the last layer's name and what the experiment needs
// around.
#include "lbann-validate/calibration_networks.hpp"

#include <fmt/format.h>

namespace lbann::tools {
namespace {

/// A chain of layers between "samples" and a softmax with cross entropy over ten classes.
class Chain {
public:
  Chain(int batch, const std::string& dims, const std::string& optimizer)
    : head_(fmt::format("trainer {{ mini_batch_size: {} }}\n"
                        "data_reader {{ reader {{ name: \"synthetic\" role: \"train\" num_samples: {} "
                        "synth_dimensions: \"{}\" num_labels: 10 fraction_of_data_to_use: 1.0 }} }}\n"
                        "optimizer {{ {} }}\n",
                        batch, batch, dims, optimizer)) {
    layers_ = layer("labels", "", "input { data_field: \"labels\" }") +
              layer(last_, "", "input { data_field: \"samples\" }");
  }
  Chain& add(const std::string& body) { return add_joined(body, {}); }
  /// With one more parent: a residual sum.
  Chain& add_joined(const std::string& body, const std::string& other) {
    const std::string name = fmt::format("l{}", ++count_);
    layers_ += layer(name, last_ + (other.empty() ? "" : " " + other), body);
    last_ = name;
    return *this;
  }
  Chain& convolution(int channels, int kernel, int stride = 1) {
    return add(
        fmt::format("convolution {{ num_dims: 2 out_channels: {} kernel_size: {} padding: {} stride: {} "
                    "has_bias {{ value: false }} }}",
                    channels, kernel, kernel / 2, stride));
  }
  Chain& dense(int neurons) { return add(fmt::format("fully_connected {{ num_neurons: {} }}", neurons)); }
  const std::string& last() const { return last_; }
  std::string text() {
    dense(10).add("softmax {}");
    layers_ += layer("loss", last_ + " labels", "cross_entropy {}");
    return head_ + "model { num_epochs: 1\n" + layers_ +
           "objective_function { layer_term { layer: \"loss\" } } }\n";
  }

private:
  static std::string layer(const std::string& name, const std::string& parents, const std::string& body) {
    return fmt::format("layer {{ name: \"{}\" parents: \"{}\" {} }}\n", name, parents, body);
  }
  std::string head_, layers_, last_ = "samples";
  int count_ = 0;
};

std::string make_dense_net() {
  const std::string adam = "adam { learn_rate: 1e-3 beta1: 0.9 beta2: 0.99 eps: 1e-8 }";
  return Chain(128, "784", adam).dense(1024).add("relu {}").dense(1024).add("relu {}").dense(64).text();
}

std::string make_small_image_net() {
  const std::string pool = "pooling { num_dims: 2 pool_dims_i: 2 pool_strides_i: 2 pool_mode: \"max\" }";
  return Chain(64, "1 28 28", "sgd { learn_rate: 0.01 momentum: 0.9 }")
      .convolution(16, 5)
      .add("relu {}")
      .add(pool)
      .convolution(32, 5)
      .add("batch_normalization {}")
      .add("relu {}")
      .add(pool)
      .dense(128)
      .add("relu {}")
      .text();
}

/// Residual blocks of 64, 128 and 256 channels, with 1x1 convolutions between them.
std::string make_residual_net(int batch, int extent) {
  Chain chain(batch, fmt::format("3 {} {}", extent, extent), "sgd { learn_rate: 0.01 momentum: 0.9 }");
  chain.convolution(64, 3).add("batch_normalization {}").add("relu {}");
  for (const int channels : {64, 128, 256}) {
    const std::string start = chain.last();
    chain.convolution(channels == 64 ? 64 : channels / 2, 3).add("batch_normalization {}").add("relu {}");
    chain.convolution(channels == 64 ? 64 : channels / 2, 3).add("batch_normalization {}");
    chain.add_joined("sum {}", start).add("relu {}");
    if (channels < 256) chain.convolution(channels, 1, 2).add("batch_normalization {}").add("relu {}");
  }
  return chain.text();
}

}  // namespace

std::vector<std::string> calibration_networks() {
  return {make_dense_net(), make_small_image_net(), make_residual_net(8, 32), make_residual_net(16, 56)};
}

}  // namespace lbann::tools
