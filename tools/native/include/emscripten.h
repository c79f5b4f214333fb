// XNNPACK asks for the number of cores to choose kernels. wasm/engine/instance.js gives it the same one.
#define EM_JS(type, name, parameters, ...) \
  static type name parameters {            \
    return 16;                             \
  }
