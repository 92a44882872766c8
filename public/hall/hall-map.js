import { useEffect, useRef, useState } from '/vendor/preact-hooks.js'
import { html } from '../shell/html.js'
import { number } from '../shell/said.js'
import { codesOf } from '../till/till-state.js'
import { hallWords } from '../words/hall-words.js'
import { HallCanvas } from './hall-canvas.js'
import { withStage } from './hall-ground.js'
import { SeatCard } from './seat-card.js'

/** @import { RefObject } from '/vendor/preact.js' */
/** @import { Places } from '../till/places.js' */
/** @import { HallSeats } from './hall-seats.js' */
/** @import { Spot } from './hall-view.js' */

/** The hall, drawn. @param {{ places: Places, hall: HallSeats }} props */
export function HallMap({ places, hall }) {
  const words = hallWords.value
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null))
  const [card, setCard] = useState(/** @type {SeatCardPlace | undefined} */ (undefined))
  const drawn = useHallCanvas(canvas, { places, hall, setCard })
  return html`<section class="hall" aria-label=${words.map}>
    <canvas
      class="hall-canvas"
      style=${{ aspectRatio: ratioOf(hall) }}
      ref=${canvas}
      role="img"
      aria-label=${`${words.map}. ${words.mapHelp}`}
    ></canvas>
    <div class="hall-zoom">
      <button type="button" aria-label=${words.larger} onClick=${() => drawn.current?.zoomBy(1.6)}>+</button>
      <button type="button" aria-label=${words.smaller} onClick=${() => drawn.current?.zoomBy(1 / 1.6)}>
        −
      </button>
      <button type="button" class="hall-whole" onClick=${() => drawn.current?.showWhole()}>
        ${words.whole}
      </button>
    </div>
    ${
      card &&
      html`<${SeatCard}
        places=${places}
        hall=${hall}
        unitNo=${card.unitNo}
        spot=${card.spot}
        isPinned=${card.isPinned}
        onClose=${() => setCard(undefined)}
      />`
    }
  </section>`
}

/** @typedef {{ unitNo: number, spot: Spot, isPinned: boolean }} SeatCardPlace */

/**
 * Draws the hall for as long as the canvas is there, and whatever the buyer does with its seats.
 * @param {RefObject<HTMLCanvasElement | null>} canvas
 * @param {object} options
 * @param {Places} options.places
 * @param {HallSeats} options.hall
 * @param {(change: (now: SeatCardPlace | undefined) => SeatCardPlace | undefined) => void} options.setCard
 */
function useHallCanvas(canvas, { places, hall, setCard }) {
  const drawn = useRef(/** @type {HallCanvas | undefined} */ (undefined))
  const words = hallWords.value
  const { chosen, holds, news } = places.state.value
  const watched = places.watched.value

  useEffect(() => {
    if (!canvas.current || !places.free || !places.grid) return
    const hallCanvas = new HallCanvas(canvas.current, {
      seats: hall,
      grid: places.grid,
      states: places.units.map.seats,
      free: places.free,
      ...spoken(),
      onSeat: (unitNo) => {
        const code = hall.codeOf(unitNo)
        if (places.mayChoose.value && places.leftOf(code) > 0) return places.toggle(code)
        setCard(() => ({ unitNo, spot: hallCanvas.spotOf(unitNo), isPinned: true }))
      },
      onPoint: (unitNo, spot) =>
        setCard((now) => {
          if (unitNo !== undefined) return { unitNo, spot, isPinned: false }
          return now?.isPinned ? now : undefined
        }),
    })
    drawn.current = hallCanvas
    const unwatch = places.onChange((units) => hallCanvas.changed(units))
    const onView = () => setCard(() => undefined)
    canvas.current.addEventListener('viewchange', onView)
    return () => {
      unwatch()
      hallCanvas.end()
    }
  }, [places, hall])

  useEffect(() => drawn.current?.speak(spoken()), [words])
  useEffect(() => {
    drawn.current?.mark([
      ['watched', watched],
      ['alone', news?.code === 'leaves_single_seat' ? news.units : []],
      ['chosen', chosen.keys()],
      ['mine', holds.flatMap(({ units }) => codesOf(units))],
    ])
  }, [chosen, holds, news, watched])
  return drawn
}

/** As wide and high as the hall, within what the page allows. @param {HallSeats} hall */
function ratioOf(hall) {
  const { left, right, top, bottom } = withStage(hall.bounds)
  return `${right - left} / ${bottom - top}`
}

function spoken() {
  const words = hallWords.value
  return {
    stage: words.stage,
    /** @param {unknown} _ @param {number} free */
    freeText: (_, free) => (free === 0 ? words.none : words.freeCount(number(free))),
  }
}
