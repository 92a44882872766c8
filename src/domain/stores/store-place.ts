/** A place on the earth, in degrees. */
export interface Place {
  readonly latitude: number
  readonly longitude: number
}

/** From one corner to the other, in degrees; never across the 180th meridian. */
export interface Box {
  readonly south: number
  readonly west: number
  readonly north: number
  readonly east: number
}

/** Of the sphere whose surface is the earth's. */
export const earthRadiusMetres = 6_371_007.2

/** Boxes that hold everything within so many metres of a place: two where the 180th meridian runs through. */
export function boxesAround({ latitude, longitude }: Place, metres: number): Box[] {
  const angle = metres / earthRadiusMetres
  const south = latitude - degrees(angle)
  const north = latitude + degrees(angle)
  const all = { south, north, west: -180, east: 180 }
  // A pole lies within, and with it every meridian.
  if (south <= -90 || north >= 90) return [all]
  const reach = degrees(Math.asin(Math.sin(angle) / Math.cos(radians(latitude))))
  const west = longitude - reach
  const east = longitude + reach
  if (west < -180)
    return [
      { ...all, east },
      { ...all, west: west + 360 },
    ]
  if (east > 180)
    return [
      { ...all, west },
      { ...all, east: east - 360 },
    ]
  return [{ south, north, west, east }]
}

function degrees(angle: number): number {
  return (angle * 180) / Math.PI
}

function radians(angle: number): number {
  return (angle * Math.PI) / 180
}
