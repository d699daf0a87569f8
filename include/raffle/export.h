/* SPDX-License-Identifier: Apache-2.0 */
/* What every declaration of the public API carries: visibility, C linkage, and a warning for an ignored result. */
#ifndef RAFFLE_EXPORT_H
#define RAFFLE_EXPORT_H

#ifdef __cplusplus
#define RAFFLE_BEGIN extern "C" {
#define RAFFLE_END }
#else
#define RAFFLE_BEGIN
#define RAFFLE_END
#endif

/* The initialiser of a struct that begins with struct_size; the rest is zero. */
#ifdef __cplusplus
#define RAFFLE_INIT_OF(type)                                                                                           \
    {                                                                                                                  \
        sizeof(type)                                                                                                   \
    }
#else
#define RAFFLE_INIT_OF(type)                                                                                           \
    {                                                                                                                  \
        .struct_size = sizeof(type)                                                                                    \
    }
#endif

#if defined(__GNUC__)
#define RAFFLE_API __attribute__((visibility("default")))
#define RAFFLE_NODISCARD __attribute__((warn_unused_result))
#else
#define RAFFLE_API
#define RAFFLE_NODISCARD
#endif

#endif
