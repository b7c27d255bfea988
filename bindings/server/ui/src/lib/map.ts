/** The map of the world, loaded where one is shown. Borders: Natural Earth, public domain, by world-atlas; no tiles, nothing fetched from elsewhere. */
import { MapChart } from 'echarts/charts'
import { VisualMapComponent } from 'echarts/components'
import { registerMap, use } from 'echarts/core'
import { feature } from 'topojson-client'
import world from 'world-atlas/countries-110m.json'

use([MapChart, VisualMapComponent])

const shapes = feature(world, world.objects.countries)
// Antarctica takes a third of the map and no bookings.
shapes.features = shapes.features.filter((f) => f.properties.name !== 'Antarctica')
registerMap('world', shapes as never)
